"""How one or more answers become a verdict. A method is asking.Asking: it yields questions and returns a verdict."""
