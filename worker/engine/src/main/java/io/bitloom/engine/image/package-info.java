/** Pictures as bytes: 8-bit RGB, and its encoding as PNG, JPEG and WebP files. */
package io.bitloom.engine.image;
