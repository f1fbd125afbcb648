/** The door for KEDA: asks how pools of workers stand, and words it as KEDA wants to hear it. */
package io.bitloom.coordinator.scaler;
