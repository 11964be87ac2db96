@main
struct Joulegate {
    static func main() {}
}
