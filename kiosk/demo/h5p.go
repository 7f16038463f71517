package demo

// h5p reads an H5P content of the pack as scenes. (until the reader)
func (l *loader) h5p(name string) ([]rawScene, error) { return nil, nil }
