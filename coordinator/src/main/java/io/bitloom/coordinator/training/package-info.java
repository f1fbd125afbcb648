/** What training processes report, for people to look at. */
package io.bitloom.coordinator.training;
