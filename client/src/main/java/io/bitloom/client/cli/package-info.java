/** The {@code bitloom} command line. */
package io.bitloom.client.cli;
