/**
 * Traces of prompts from submit to delivery. Spans are plain values, made when they end; only
 * {@code OtlpTracing} and what it uses know OpenTelemetry, and nothing of that is loaded while
 * tracing is off.
 */
package io.bitloom.common.trace;
