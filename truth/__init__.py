"""Nature: the known Earth that the satellite looks at; knows no satellite and no processor."""
