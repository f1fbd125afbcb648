/** A coordinator and workers on this machine, as child processes. */
package io.bitloom.client.cluster;
