extension UnsafeRawBufferPointer {
    /// True if these bytes are exactly `text`.
    func holds(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount
            && elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: count))
    }
}
