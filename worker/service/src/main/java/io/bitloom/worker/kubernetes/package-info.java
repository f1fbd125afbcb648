/** What a worker does about the Kubernetes that it runs in. */
package io.bitloom.worker.kubernetes;
