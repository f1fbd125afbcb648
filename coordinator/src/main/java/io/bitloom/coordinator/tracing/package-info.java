/** The coordinator's spans in the traces of prompts. */
package io.bitloom.coordinator.tracing;
