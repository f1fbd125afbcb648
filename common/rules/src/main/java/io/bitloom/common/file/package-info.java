/** What file systems do and refuse, for every program, without a command line. */
package io.bitloom.common.file;
