/** Options that commands of several modules share. */
package io.bitloom.common.cli;
