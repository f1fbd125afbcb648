/** How S3 servers are reached, for whoever keeps or reads objects. */
package io.bitloom.coordinator.s3;
