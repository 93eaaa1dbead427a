"""Import paths that older services and programs use. Everything here is defined in `zato.core`."""
