"""The pages and the door through which customers and LINE users become one."""
