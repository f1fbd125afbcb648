/**
 * The backend of {@link io.bitloom.engine.tensor.Kernels} for CPUs, and what it knows of the
 * machine: threads, processors, measured choices. An image's result depends neither on its batch
 * nor on the number of threads; the constants of machines are here and nowhere else.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.tensor.cpu;
