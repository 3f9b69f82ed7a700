"""Signatures: first bytes of accepted formats, and of what else is uploaded in place of a recording."""

from typing import NamedTuple


class Signature(NamedTuple):
    """First bytes of one format."""

    name: str  # FFmpeg's demuxer of an accepted format; a noun with its article for all others
    magic: bytes
    offset: int = 0
    form: bytes = b""  # type of a RIFF or IFF file, which stands at offset 8

    def matches(self, head: bytes) -> bool:
        """Check the first bytes of a file."""
        return head.startswith(self.magic, self.offset) and (not self.form or head.startswith(self.form, 8))


ACCEPTED_SIGNATURES = (
    *(Signature("wav", magic, form=b"WAVE") for magic in (b"RIFF", b"RIFX", b"RF64", b"BW64")),
    Signature("flac", b"fLaC"),
    Signature("ogg", b"OggS"),
    Signature("matroska", b"\x1a\x45\xdf\xa3"),
    Signature("aiff", b"FORM", form=b"AIFF"),
    Signature("aiff", b"FORM", form=b"AIFC"),
    Signature("caf", b"caff"),
    Signature("w64", b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"),
    Signature("asf", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"),
    Signature("amr", b"#!AMR\n"),
    Signature("amr", b"#!AMR-WB\n"),
    Signature("au", b".snd"),
)

REFUSED_SOUND = (
    *(Signature("a DSS dictation", bytes([version]) + b"dss") for version in (2, 3)),
    *(Signature("a DS2 dictation", bytes([version]) + b"ds2") for version in (1, 3, 7)),
    Signature("a Sony dictation (DVF, MSV)", b"MS_VOICE"),
    Signature("a RealAudio recording", b".RMF"),
    Signature("a RealAudio recording", b".ra\xfd"),
    Signature("a Monkey's Audio recording (APE)", b"MAC "),
    Signature("a WavPack recording", b"wvpk"),
    Signature("a True Audio recording (TTA)", b"TTA1"),
    Signature("a True Audio recording (TTA)", b"TTA2"),
    Signature("a Musepack recording", b"MPCK"),
    Signature("a Musepack recording", b"MP+"),
    Signature("an OptimFROG recording", b"OFR "),
    Signature("a TAK recording", b"tBaK"),
    Signature("a Shorten recording", b"ajkg"),
    Signature("a DSD recording (DSF)", b"DSD "),
    Signature("a DSD recording (DFF)", b"FRM8"),
    Signature("a DTS recording", b"\x7f\xfe\x80\x01"),
    Signature("a DTS recording", b"DTSHDHDR"),
    Signature("a TrueHD recording", b"\xf8\x72\x6f\xba", 4),
    Signature("a SILK voice message (WeChat, QQ)", b"#!SILK_V3"),
    Signature("a SILK voice message (WeChat, QQ)", b"\x02#!SILK_V3"),
    Signature("an AMR recording of several channels", b"#!AMR_MC1.0"),
    Signature("an AMR recording of several channels", b"#!AMR-WB_MC1.0"),
    Signature("an iLBC recording", b"#!iLBC"),
    Signature("an ATRAC recording (OMA)", b"ea3\x03"),
    Signature("a Creative Voice recording (VOC)", b"Creative Voice File\x1a"),
    Signature("a NIST Sphere recording", b"NIST_1A"),
    Signature("a QCELP recording (QCP)", b"RIFF", form=b"QLCM"),
    Signature("an Audible audio book (AA)", b"\x57\x90\x75\x36", 4),
    Signature("an Audible audio book (AAX)", b"ftypaax ", 4),
    Signature("an encrypted recording (m4p, with DRM)", b"ftypM4P ", 4),
    Signature("an IFF 8SVX recording", b"FORM", form=b"8SVX"),
    Signature("an AVI video", b"RIFF", form=b"AVI "),
    Signature("a Flash video (FLV)", b"FLV\x01"),
    Signature("an MPEG video", b"\0\0\x01\xba"),
    Signature("an MPEG video", b"\0\0\x01\xb3"),
    Signature("an MXF video", b"\x06\x0e\x2b\x34\x02\x05\x01\x01"),
)
"""Sound, or video with sound, in a format that is not accepted."""

REFUSED_FILES = (
    Signature("a MIDI file, which has notes but no sound", b"MThd"),
    Signature("a MIDI file, which has notes but no sound", b"RIFF", form=b"RMID"),
    Signature("a PDF document", b"%PDF-"),
    Signature("a PDF document", b"\xef\xbb\xbf%PDF-"),
    Signature("an RTF document", b"{\\rtf"),
    Signature("an Office document (doc, xls, ppt, msg)", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    Signature("a JPEG picture", b"\xff\xd8\xff"),
    Signature("a PNG picture", b"\x89PNG\r\n\x1a\n"),
    Signature("a GIF picture", b"GIF8"),
    Signature("a WebP picture", b"RIFF", form=b"WEBP"),
    Signature("a TIFF picture", b"II*\0"),
    Signature("a TIFF picture", b"MM\0*"),
    *(Signature("a HEIC picture", b"ftyp" + brand, 4) for brand in (b"heic", b"heix", b"mif1", b"msf1")),
    Signature("an AVIF picture", b"ftypavif", 4),
    Signature("a rar archive", b"Rar!\x1a\x07"),
    Signature("a 7z archive", b"7z\xbc\xaf\x27\x1c"),
    Signature("a gzip archive", b"\x1f\x8b\x08"),
    Signature("a bzip2 archive", b"BZh"),
    Signature("an xz archive", b"\xfd7zXZ\0"),
    Signature("a zstd archive", b"\x28\xb5\x2f\xfd"),
    Signature("a tar archive", b"ustar", 257),
    Signature("an SQLite database", b"SQLite format 3\0"),
    Signature("a program", b"MZ"),
    Signature("a program", b"\x7fELF"),
    Signature("a companion file of macOS (its name begins with ._)", b"\x00\x05\x16\x07"),
    Signature("an m3u playlist", b"#EXTM3U"),
    Signature("a pls playlist", b"[playlist]"),
    Signature("a list of files for FFmpeg", b"ffconcat version"),
)
"""Files without sound that are often uploaded by mistake."""
