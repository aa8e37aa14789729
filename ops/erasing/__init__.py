"""`musubi erase`: a person taken out of every table, queue, dead letter and object version, with a signed proof."""
