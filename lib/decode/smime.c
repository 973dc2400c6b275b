/* SPDX-License-Identifier: BSD-2-Clause */
/* smime.c - opaque signed data, through OpenSSL's CMS. */
#include "decode/smime.h"

#include <glib.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#define SEQUENCE 0x30	/* the first byte of all CMS */

static enum vtm_smime take_content(CMS_ContentInfo *cms, char **content_r, size_t *len_r)
{
	ASN1_OCTET_STRING **octets = CMS_get0_content(cms);
	int len = octets && *octets ? ASN1_STRING_length(*octets) : 0;

	if (len <= 0)
		return VTM_SMIME_NONE;	/* detached */
	*content_r = g_memdup2(ASN1_STRING_get0_data(*octets), (gsize)len);
	*len_r = (size_t)len;
	return VTM_SMIME_SIGNED;
}

enum vtm_smime vtm_smime_open(const void *data, size_t len, char **content_r, size_t *len_r)
{
	enum vtm_smime result = VTM_SMIME_BROKEN;
	CMS_ContentInfo *cms = NULL;
	BIO *bio;

	*content_r = NULL;
	*len_r = 0;
	if (!len || *(const unsigned char *)data != SEQUENCE)
		return VTM_SMIME_NONE;
	if (len > G_MAXINT32)
		return VTM_SMIME_BROKEN;
	bio = BIO_new_mem_buf(data, (int)len);
	cms = bio ? d2i_CMS_bio(bio, NULL) : NULL;
	if (cms)
		switch (OBJ_obj2nid(CMS_get0_type(cms))) {
		case NID_pkcs7_signed:
			result = take_content(cms, content_r, len_r);
			break;
		case NID_pkcs7_enveloped:
		case NID_id_smime_ct_authEnvelopedData:
			result = VTM_SMIME_ENCRYPTED;
			break;
		default:
			break;
		}
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	ERR_clear_error();	/* the thread's queue is not ours to fill */
	return result;
}
