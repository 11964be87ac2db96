// The one file that calls the C mathematics library. Everything else in the core uses these, so
// that a run gives the same bytes on the same build and machine.
import Glibc

public enum Mathematics {
    /// Natural logarithm of a positive number.
    public static func log(_ x: Double) -> Double { Glibc.log(x) }
    public static func log2(_ x: Double) -> Double { Glibc.log2(x) }
    public static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    /// Cosine of an angle in whole turns.
    public static func cosine(turns: Double) -> Double { Glibc.cos(2 * .pi * turns) }
    public static func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
}
