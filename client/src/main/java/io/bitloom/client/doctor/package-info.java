/** What {@code ./bitloom doctor} looks at, besides what the other programs bring. */
package io.bitloom.client.doctor;
