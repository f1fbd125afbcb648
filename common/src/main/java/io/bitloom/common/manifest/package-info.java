/** What is said of the outcomes of a job in files: a line for each image and each failure. */
package io.bitloom.common.manifest;
