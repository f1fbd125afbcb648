/**
 * The rules of the model registry, as the doors call them: how versions come in, what may be asked
 * of them, and when their files go.
 */
package io.bitloom.coordinator.registry;
