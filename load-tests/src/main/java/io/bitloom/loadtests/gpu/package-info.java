/** A sitting on a machine with a GPU that has neither Java nor a network: packed, run, reported. */
package io.bitloom.loadtests.gpu;
