/** Large files that are known by their digest, and how they get from one machine to another. */
package io.bitloom.common.blobs;
