/// Characters that are read as an ASCII letter, digit or mark: compatibility forms (fullwidth,
/// mathematical, enclosed, superscript), letters with accents, and letters of other scripts that
/// look like it.
enum Lookalikes {
    /// From the first code point on, one place for each; a blank stands for none.
    private static let runs: [(first: UInt32, text: StaticString)] = [
        (0xA1, "!"),
        (0xAA, "a"),
        (0xB2, "23   . 1o    ?aaaaaaaceeeeiiiidnoooooxouuuuypsaaaaaaaceeeeiiiidnooooo"),
        (0xF8, "ouuuuypyaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii  jjkkklllll"),
        (0x13E, "l  llnnnnnn nnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsb"),
        (0x192, "f"),
        (0x1A0, "oo"),
        (0x1AF, "uu"),
        (0x1CD, "aaiioouuuuuuuuuu aaaa    ggkkoooo  j   gg  nnaa    aaaaeeeeiiiioooorrr"),
        (0x213, "ruuuusstt  hh"),
        (0x226, "aaeeooooooooyy"),
        (0x251, "a"),
        (0x261, "g"),
        (0x269, "ii"),
        (0x2B0, "h jr   wy"),
        (0x2E1, "lsx"),
        (0x391, "ab  ezh ik mn o p  ty x"),
        (0x3B1, "aby e n ik uv o p  tu x w"),
        (0x3F2, "cj"),
        (0x401, "e   siij"),
        (0x410, "a b  e    k mho pcty x"),
        (0x430, "a b  e    k mho pcty x"),
        (0x451, "e   siij"),
        (0x474, "vv"),
        (0x4AE, "yy"),
        (0x4BA, "hh    l"),
        (0x4CF, "l"),
        (0x501, "d"),
        (0x51A, "qqww"),
        (0x1D2C, "a b de ghijklmn o prtuwa   bde   g km o   ptu  v"),
        (0x1D62, "iruv"),
        (0x1D9C, "c   f"),
        (0x1DBB, "z"),
        (0x1E00, "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnn"),
        (0x1E46, "nnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxx"),
        (0x1E8C, "xxyyzzzzzzhtwy s    aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooo"),
        (0x1ED2, "oooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy"),
        (0x2010, "-----   '' '\"\"    . ...."),
        (0x2044, "/"),
        (0x2070, "0i  456789     n0123456789"),
        (0x2090, "aeox hklmnpst"),
        (0x2102, "c"),
        (0x210A, "ghhhh iill n   pqrrr"),
        (0x2124, "z   z kabc eef mo    i"),
        (0x2145, "ddeij"),
        (0x2160, "i   v    x  lcdmi   v    x  lcdm"),
        (0x2212, "-  /"),
        (0x2236, ":"),
        (0x2460, "123456789"),
        (0x24B6, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0"),
        (0x2C7C, "jv"),
        (0x3001, ",."),
        (0x30FB, "."),
        (0xA7F2, "cfq"),
        (0x1D400, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr"),
        (0x1D446, "stuvwxyzabcdefg ijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij"),
        (0x1D48C, "klmnopqrstuvwxyza cd  g  jk  nopq stuvwxyzabcd f hijklmn pqrstuvwxyzab"),
        (0x1D4D2, "cdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzab defg  jklmnopq st"),
        (0x1D518, "uvwxy abcdefghijklmnopqrstuvwxyzab defg ijklm o   stuvwxy abcdefghijkl"),
        (0x1D55E, "mnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcd"),
        (0x1D5A4, "efghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"),
        (0x1D5EA, "wxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn"),
        (0x1D630, "opqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdef"),
        (0x1D676, "ghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"),
        (0x1D7CE, "01234567890123456789012345678901234567890123456789"),
        (0x1F12B, "cr   abcdefghijklmnopqrstuvwxyz"),
        (0x1F150, "abcdefghijklmnopqrstuvwxyz"),
        (0x1F170, "abcdefghijklmnopqrstuvwxyz"),
        (0x1F1E6, "abcdefghijklmnopqrstuvwxyz"),
        (0x1FBF0, "0123456789"),
    ]

    /// Up to here a look into one array.
    private static let direct = 0x3100

    private static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: direct)
        for run in runs where Int(run.first) < direct {
            run.text.withUTF8Buffer { text in
                for (offset, byte) in text.enumerated() where byte != UInt8(ascii: " ") {
                    table[Int(run.first) + offset] = byte
                }
            }
        }
        return table
    }()

    /// The ASCII character that `scalar` is read as, in lower case; 0: none.
    static func ascii(_ scalar: UInt32) -> UInt8 {
        if scalar < direct { return table[Int(scalar)] }
        // Fullwidth forms are ASCII, moved.
        if 0xFF01...0xFF5E ~= scalar {
            let byte = UInt8(truncatingIfNeeded: scalar - 0xFEE0)
            return 65...90 ~= byte ? byte + 32 : byte
        }
        if scalar == 0xFF61 { return UInt8(ascii: ".") }
        guard scalar >= 0x1D400 else { return 0 }
        for run in runs where run.first <= scalar && run.first >= 0x1D400 {
            let offset = Int(scalar - run.first)
            guard offset < run.text.utf8CodeUnitCount else { continue }
            let byte = run.text.utf8Start[offset]
            return byte == UInt8(ascii: " ") ? 0 : byte
        }
        return 0
    }
}
