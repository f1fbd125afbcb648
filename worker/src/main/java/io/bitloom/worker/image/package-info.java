/** Pictures as bytes: 8-bit RGB, and its encoding as PNG and JPEG files. */
package io.bitloom.worker.image;
