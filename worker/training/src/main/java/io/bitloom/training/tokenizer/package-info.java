/** Training of the visual tokenizer: encoder, quantizer and decoder (section 3.2 of the paper). */
package io.bitloom.training.tokenizer;
