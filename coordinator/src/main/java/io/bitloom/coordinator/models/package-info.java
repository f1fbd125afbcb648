/** The models that workers have announced, and what a worker can draw. */
package io.bitloom.coordinator.models;
