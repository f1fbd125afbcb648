/** The worker's commands, and the process around them: signals, health port, exit codes. */
package io.bitloom.worker.cli;
