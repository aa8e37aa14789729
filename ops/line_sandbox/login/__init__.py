"""LINE Login v2.1, the account-link dialog and LIFF, as far as a browser and a server see of them."""
