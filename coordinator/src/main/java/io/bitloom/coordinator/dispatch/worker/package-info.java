/** The streams of workers: what they ask for, hold and report. */
package io.bitloom.coordinator.dispatch.worker;
