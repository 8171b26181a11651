"""The files that are judged, each with its name and group."""


class Files:
    def __init__(self, directory):
        self.directory = directory
        self.names = {}
        (directory / "sources").mkdir()

    def add(self, group, name, content):
        file = name if name.endswith(".xml") else f"{name}.pdf"
        assert name not in self.names, name
        self.names[name] = group
        (self.directory / file).write_bytes(content)

    def good(self, name, content):
        self.add("good", name, content)
        return content

    def bad(self, name, content):
        self.add("bad", name, content)
        return content

    def hostile(self, name, content):
        self.add("hostile", name, content)
        return content

    def source(self, name, content):
        """Something for DSS to sign."""
        (self.directory / "sources" / name).write_bytes(content)
