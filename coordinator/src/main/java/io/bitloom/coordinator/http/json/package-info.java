/** Answers of the HTTP port as JSON. */
package io.bitloom.coordinator.http.json;
