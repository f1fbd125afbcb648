/** What proves something to whoever drew it. */
package io.bitloom.common.secret;
