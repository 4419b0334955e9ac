"""The words: frozen values, protocols and the error tree. Standard library only; every room may use them."""
