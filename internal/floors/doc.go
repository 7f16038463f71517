// Package floors holds the import law of the house: a package imports only from floors below it.
//
// In: what go list says of the tree. Out: a failing test, one reason a line.
// It holds no code that a program uses. Called by make check and make test.
package floors
