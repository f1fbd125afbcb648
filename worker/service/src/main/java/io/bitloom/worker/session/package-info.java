/**
 * The worker's side of {@code bitloom.v1.WorkerService}: takes leases, keeps them alive, and
 * delivers what became of their prompts, whatever happens to the connection.
 */
package io.bitloom.worker.session;
