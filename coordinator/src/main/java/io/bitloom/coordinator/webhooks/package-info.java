/**
 * Tells others what becomes of jobs: {@link io.bitloom.coordinator.webhooks.Webhooks} takes jobs
 * that have something to tell, signs it, looks where it may go, and sends it until it is
 * acknowledged or given up.
 */
package io.bitloom.coordinator.webhooks;
