/**
 * Runs Bitloom's code on a folder of numerical fixtures and compares with the values stored there:
 * {@code ./bitloom verify}. Every shape and setting comes from the files; what a file holds and no
 * check knows is a failure.
 */
package io.bitloom.worker.verify;
