/** A training run: its loop, checkpoints, records and guards, whatever it is that learns. */
package io.bitloom.training.run;
