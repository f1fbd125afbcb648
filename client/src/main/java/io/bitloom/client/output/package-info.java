/** The folder that receives a job's images: their files, the manifest and the contact sheet. */
package io.bitloom.client.output;
