"""What commands tell a person in one line."""


class UserError(Exception):
    """Something the person at the keyboard can mend; the message says what is wrong and how."""
