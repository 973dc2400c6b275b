/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-smime.c - opaque signed data in DER and BER: content only where it says so, never longer than the input. */
#include "fuzz.h"

#include "decode/smime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *content = NULL;
	size_t len = 0;
	enum vtm_smime s = vtm_smime_open(data, size, &content, &len);

	FUZZ_CHECK(s <= VTM_SMIME_BROKEN);
	if (s == VTM_SMIME_SIGNED) {
		FUZZ_CHECK(content && len <= size);
		g_free(g_memdup2(content, len));	/* every byte is read */
		g_free(content);
	}
	return 0;
}
