/**
 * The Java SDK: {@link io.bitloom.client.sdk.BitloomClient} and the streams that it returns.
 *
 * <p>Every error is an {@link io.bitloom.common.error.BitloomException} with its code and, for bad
 * input, the field and the value.
 */
package io.bitloom.client.sdk;
