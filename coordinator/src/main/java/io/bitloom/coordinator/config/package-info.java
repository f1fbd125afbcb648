/**
 * Settings of the coordinator. Each is declared once, as a {@link
 * io.bitloom.coordinator.config.Setting} of the record that it is a part of.
 */
package io.bitloom.coordinator.config;
