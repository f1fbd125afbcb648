/** A day of arrivals, played against autoscaling; in simulated time. */
package io.bitloom.loadtests.autoscale;
