/** Training of the Infinity transformer (arXiv 2412.04431, section 3). */
package io.bitloom.training.transformer;
