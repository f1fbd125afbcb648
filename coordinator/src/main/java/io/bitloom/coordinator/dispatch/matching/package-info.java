/** Which worker gets which prompts, and when. */
package io.bitloom.coordinator.dispatch.matching;
