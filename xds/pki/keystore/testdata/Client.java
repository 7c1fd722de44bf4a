import java.net.URL;
import javax.net.ssl.HttpsURLConnection;

/** Fetches a URL as any Java client does: its trust store is a system property. */
public class Client {
    public static void main(String[] args) throws Exception {
        HttpsURLConnection c = (HttpsURLConnection) new URL(args[0]).openConnection();
        System.out.println(c.getResponseCode() + " " + new String(c.getInputStream().readAllBytes()));
    }
}
