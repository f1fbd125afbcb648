/** Where prompts come from: files in several formats, compressed or not, folders and pipes. */
package io.bitloom.client.input;
