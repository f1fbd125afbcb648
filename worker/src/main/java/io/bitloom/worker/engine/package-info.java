/**
 * From prompts to encoded images: the batch pipeline on one device, and what it does when memory
 * runs out or a prompt fails.
 */
package io.bitloom.worker.engine;
