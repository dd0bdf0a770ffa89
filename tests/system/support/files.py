"""Files that a program reads while the test writes them."""


def replace(file, text):
    """As a rename does it: whoever reads sees the old text or the new one."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.rename(file)
